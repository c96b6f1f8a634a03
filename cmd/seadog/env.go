package main

import (
	"io"
)

// env is everything that a command takes from outside: nothing else in this
// program touches os.Args, the environment or the standard streams.
type env struct {
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Environ        func() []string
}
