package handoff

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Kind is what a control message says.
type Kind string

const (
	// Worker to master.
	MessageReady  Kind = "ready"  // it does its work
	MessageFailed Kind = "failed" // it is about to end, and why

	// Master to worker.
	MessageDrain  Kind = "drain"  // take no new work, finish what you have
	MessageStop   Kind = "stop"   // give up what you are doing
	MessageAccept Kind = "accept" // the scoreboard says something else about accepting
	MessageAdopt  Kind = "adopt"  // serve this connection, as if you had accepted it
)

// Message is one message of the control protocol: a word and, for
// [MessageFailed], a sentence.
type Message struct {
	Kind Kind
	Text string
	// File is the descriptor that came with [MessageAdopt], close-on-exec; nil
	// for all others. The receiver closes it.
	File *os.File
}

// maxMessage bounds a message on the wire.
const maxMessage = 2048

// Control is one end of the socket between the master and one worker. Its end
// of file is the other side's death: nobody else ever has it.
type Control struct {
	conn *net.UnixConn
	peer uint64 // SO_COOKIE of the other end; 0 if this is the worker's
}

// NewControl returns the master's end, and the worker's end to put into a
// [Parcel]; call release as soon as the worker was started.
func NewControl() (master *Control, worker Held, release func(), err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, Held{}, nil, fmt.Errorf("make control socket: %w", err)
	}
	release = func() { _ = unix.Close(pair[1]) }
	master, err = openControl(Held{pair[0]})
	if err == nil {
		master.peer, err = unix.GetsockoptUint64(pair[1], unix.SOL_SOCKET, unix.SO_COOKIE)
	}
	if err != nil {
		release()
		return nil, Held{}, nil, err
	}
	return master, Held{pair[1]}, release, nil
}

// openControl takes h over.
func openControl(h Held) (*Control, error) {
	conn, err := openUnixConn(h, "control")
	if err != nil {
		return nil, err
	}
	return &Control{conn: conn}, nil
}

func openUnixConn(h Held, name string) (*net.UnixConn, error) {
	f := os.NewFile(h.FD(), name)
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("open %s socket: %w", name, err)
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("open %s socket: it is a %T", name, conn)
	}
	return u, nil
}

// Send never waits: a peer that does not read its messages is not waited for,
// and the message is lost with an error.
func (c *Control) Send(m Message) error { return c.send(m, nil) }

// SendFile is Send with a descriptor, which stays open here.
func (c *Control) SendFile(m Message, fd int) error { return c.send(m, unix.UnixRights(fd)) }

func (c *Control) send(m Message, rights []byte) error {
	b := m.encode()
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("send %s: %w", m.Kind, err)
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		sent = unix.Sendmsg(int(fd), b, rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}); err != nil {
		return fmt.Errorf("send %s: %w", m.Kind, err)
	}
	if sent != nil {
		return fmt.Errorf("send %s: %w", m.Kind, sent)
	}
	return nil
}

// Receive waits for the next message. It returns io.EOF when the other side is
// gone, and the error of the deadline or of Close.
func (c *Control) Receive() (Message, error) {
	buf, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := c.conn.ReadMsgUnix(buf, rights)
	if err != nil {
		// A peer that died with messages unread resets the socket.
		if errors.Is(err, unix.ECONNRESET) {
			return Message{}, io.EOF
		}
		return Message{}, err
	}
	file := received(rights[:oobn])
	if n == 0 { // no message is empty: the other side is gone
		return Message{}, errors.Join(io.EOF, closeFile(file))
	}
	m := ParseMessage(buf[:n])
	if m.Kind != MessageAdopt {
		return m, closeFile(file)
	}
	m.File = file
	return m, nil
}

// received returns the descriptor that came with a message; nil if none did.
func received(rights []byte) *os.File {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) == 0 {
		return nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return nil
	}
	return os.NewFile(uintptr(fds[0]), "adopted connection")
}

func closeFile(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// Peer identifies the worker's end, by its SO_COOKIE.
func (c *Control) Peer() uint64 { return c.peer }

// Unread takes what is waiting out of a worker's end of a control socket, and
// returns the connections that came with it, and how many messages there were
// besides. It is for an end that its worker may never read again, and does not wait.
func Unread(end int) (files []*os.File, others int) {
	buf, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(end, buf, rights, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return files, others
		}
		if f := received(rights[:oobn]); f != nil {
			files = append(files, f)
		} else {
			others++
		}
	}
}

// SetReadDeadline bounds Receive.
func (c *Control) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// Close closes this end. The other side sees the end of file.
func (c *Control) Close() error { return c.conn.Close() }

func (m Message) encode() []byte {
	s := string(m.Kind)
	if m.Text != "" {
		s += " " + m.Text
	}
	return []byte(s[:min(len(s), maxMessage)])
}

// ParseMessage never fails: a kind that it does not know is for a newer
// version, and is to be ignored by the receiver.
func ParseMessage(b []byte) Message {
	kind, text, _ := strings.Cut(string(b), " ")
	return Message{Kind: Kind(kind), Text: strings.ToValidUTF8(text, "")}
}
