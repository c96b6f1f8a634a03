// Server is what tests run in containers. It answers every HTTP request with
// the content of /version and does, on request of its environment, what keeps
// deployers busy:
//
//	LISTEN=:8080 | unix:/path   where to answer; nowhere if empty
//	EXIT_AFTER=1s EXIT_CODE=3   ends by itself (also 0s)
//	HEALTHY_AFTER=2s            `server health` says no until then
//	UNHEALTHY_AFTER=2s          `server health` says no from then on
//	IGNORE_TERM=1               only KILL ends it
//	PRINT=5                     prints so many numbered lines first
//
// Durations count from the start of the server. `server health` is the HEALTHCHECK.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// started is created by the server and looked at by `server health`.
const started = "/started"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "health" {
		os.Exit(health())
	}
	if err := os.WriteFile(started, nil, 0o644); err != nil {
		log.Fatal(err)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	version, err := os.ReadFile("/version")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("version %s note %s\n", version, os.Getenv("NOTE"))
	lines, _ := strconv.Atoi(os.Getenv("PRINT"))
	for i := range lines {
		fmt.Println("line", i+1)
	}
	if at := os.Getenv("LISTEN"); at != "" {
		go serve(at, version)
	}
	var end <-chan time.Time
	if d, ok := duration("EXIT_AFTER"); ok {
		end = time.After(d)
	}
	for {
		select {
		case <-end:
			code, _ := strconv.Atoi(os.Getenv("EXIT_CODE"))
			os.Exit(code)
		case <-term:
			if os.Getenv("IGNORE_TERM") == "" {
				return
			}
		}
	}
}

func serve(at string, version []byte) {
	network := "tcp"
	if path, ok := strings.CutPrefix(at, "unix:"); ok {
		network, at = "unix", path
		_ = os.Remove(path)
	}
	l, err := net.Listen(network, at)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(version) })))
}

func health() int {
	info, err := os.Stat(started)
	if err != nil {
		fmt.Println("not started")
		return 1
	}
	age := time.Since(info.ModTime())
	if d, ok := duration("HEALTHY_AFTER"); ok && age < d {
		fmt.Println("warming up")
		return 1
	}
	if d, ok := duration("UNHEALTHY_AFTER"); ok && age >= d {
		fmt.Println("feeling sick")
		return 1
	}
	return 0
}

func duration(name string) (time.Duration, bool) {
	d, err := time.ParseDuration(os.Getenv(name))
	return d, err == nil
}
