// Command site is what the containers of the tests run: it stays until it is told to go.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	if os.Getenv("SITE") == "crash" {
		os.Exit(3)
	}
	<-stop
}
