package process

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// looker reads what threads of this process do, again and again. It leaves next
// to no garbage: a collection that begins while a thread cannot be stopped is
// the end of the process, and must not begin because somebody looked.
type looker struct{ buf [4 << 10]byte }

// spell is what a thread has done so far.
type spell struct {
	cpu   time.Duration
	waits uint64 // how often it gave its processor up by itself
}

// running returns what a thread has done; false if it neither runs nor could.
func (l *looker) running(tid int) (spell, bool) {
	dir := ownThreads + "/" + strconv.Itoa(tid)
	cpu, runs := parseRunning(l.read(dir + "/stat"))
	if !runs {
		return spell{}, false
	}
	return spell{cpu, parseWaits(l.read(dir + "/status"))}, true
}

// read returns the beginning of a file of /proc; it is valid until the next call.
func (l *looker) read(path string) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // the thread has ended
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, l.buf[:])
		if !errors.Is(err, unix.EINTR) {
			return l.buf[:max(0, n)]
		}
	}
}

// parseRunning reads of a line like that of [parseStat] the processor time;
// false if the thread neither runs nor could.
func parseRunning(line []byte) (cpu time.Duration, runs bool) {
	field := 1 // of proc(5): the name, which ends with the last parenthesis, is the second
	for value := range bytes.FieldsSeq(line[max(0, bytes.LastIndexByte(line, ')')):]) {
		switch field++; {
		case field == 3 && (len(value) != 1 || value[0] != 'R'):
			return 0, false
		case field == 14 || field == 15:
			cpu += time.Duration(digits(value)) * tick
			runs = true
		}
	}
	return cpu, runs
}

// parseWaits reads a line like "voluntary_ctxt_switches:	150" of a status.
func parseWaits(status []byte) uint64 {
	_, rest, _ := bytes.Cut(status, []byte("\nvoluntary_ctxt_switches:"))
	return digits(bytes.TrimLeft(rest, " \t"))
}

// digits reads the number that text begins with.
func digits(text []byte) (n uint64) {
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}
