// Package selfdump takes the goroutine dump of a process that lives on: for the
// process itself ([Taker]), and for whoever may ask it from outside ([Server],
// [Ask]).
//
// A process that asked for it listens on an abstract Unix socket, whose name is
// its pid and when it was started: there is no file to find, to protect or to
// leave behind, and nobody can know the name before. Both sides look at the
// other's credentials (SO_PEERCRED): only root and the process's own user get an
// answer, and only from the process that they named. It is a goroutine of the
// watchdog's that answers, so it does when all of the application hangs.
//
// Taking a dump stops the world. While a thread computes without a pause that
// could be the end of the process, so it is refused then, and the thread named.
// More goroutines than can be printed in a moment become a profile, which tells
// less. What leaves the process has no labels but slot, request and route, and no
// arguments of functions but the addresses of locks.
//
// [Server.Run] has one goroutine, which sleeps until somebody asks. The package
// decides nothing about who hangs: package stackdump does.
package selfdump
