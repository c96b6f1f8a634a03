package stackdump

import "bytes"

// call reads the first line of a frame, "main.(*Cart).Add(0xc000012345, 0x1?)".
// Function names have no spaces and arguments are numbers, which tells calls
// from the lines of a log.
func (p *parser) call(line []byte) (f Frame, ok bool) {
	if len(line) < 3 || line[len(line)-1] != ')' {
		return f, false
	}
	open := bytes.LastIndexByte(line, '(')
	if open <= 0 || bytes.IndexByte(line[:open], ' ') >= 0 {
		return f, false
	}
	args := line[open+1 : len(line)-1]
	for _, c := range args {
		if !argument[c] {
			return f, false
		}
	}
	f.Func = p.intern(line[:open])
	f.Arg = firstArgument(args)
	return f, true
}

// argument holds the characters that arguments are printed with.
var argument = func() (set [256]bool) {
	for _, c := range "0123456789abcdefx{}?,. _" {
		set[c] = true
	}
	return set
}()

// firstArgument returns 0 for "", "...", "{…}" and for what is marked with a
// question mark: the register or the slot may have been used for something else.
func firstArgument(args []byte) Addr {
	if !bytes.HasPrefix(args, []byte("0x")) {
		return 0
	}
	var a Addr
	for i, c := range args[2:] {
		switch {
		case i >= 16:
			return 0
		case c >= '0' && c <= '9':
			a = a<<4 | Addr(c-'0')
		case c >= 'a' && c <= 'f':
			a = a<<4 | Addr(c-'a'+10)
		case c == ',':
			return a
		default:
			return 0
		}
	}
	if len(args) > 18 {
		return 0
	}
	return a
}

// position reads the second line of a frame, without its tab:
// "/src/cart.go:88 +0x1d fp=0xc0000 sp=0xc0000 pc=0x4".
func (p *parser) position(f *Frame, line []byte) bool {
	colon := -1
	for from := 0; ; {
		next := bytes.Index(line[from:], []byte(".go:"))
		if next < 0 {
			break
		}
		colon = from + next + len(".go")
		from = colon
	}
	if colon < 0 { // assembly, cgo, generated
		end := len(line)
		if i := bytes.IndexByte(line, ' '); i >= 0 {
			end = i
		}
		colon = bytes.LastIndexByte(line[:end], ':')
	}
	if colon <= 0 {
		return false
	}
	n, digits := decimal(line[colon+1:])
	if digits == 0 || colon+1+digits < len(line) && line[colon+1+digits] != ' ' {
		return false
	}
	f.File, f.Line = p.intern(line[:colon]), int(n)
	return true
}

// creator reads "created by main.main.func1 in goroutine 1".
func (p *parser) creator(g *Goroutine, line []byte) {
	name, by, told := bytes.Cut(line[len("created by "):], []byte(" in goroutine "))
	g.Creator.Func = p.intern(name)
	if told {
		g.CreatorID, _ = decimal(by)
	}
}

// profileFrame reads a frame of a profile with debug=1:
// "#	0x4a5b6c	main.(*Cart).Add+0x1c	/src/cart.go:88".
func (p *parser) profileFrame(line []byte) (f Frame, ok bool) {
	_, rest, _ := bytes.Cut(line[1:], []byte("0x"))
	_, rest, named := bytes.Cut(rest, []byte("\t"))
	if !named {
		return f, false
	}
	rest = bytes.TrimLeft(rest, "\t")
	name, place, _ := bytes.Cut(rest, []byte("\t"))
	if plus := bytes.LastIndex(name, []byte("+0x")); plus > 0 {
		name = name[:plus]
	}
	if len(name) == 0 {
		return f, false
	}
	f.Func = p.intern(name)
	return f, p.position(&f, bytes.TrimLeft(place, "\t"))
}
