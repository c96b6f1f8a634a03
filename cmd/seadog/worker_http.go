package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/transcript"
)

// serveHTTP is an HTTP worker: it verifies, persists and answers. It can be
// replaced or killed at any moment without any deployment noticing.
func serveHTTP(j job, intake, work context.Context) (err error) {
	store, err := openStore(work, j.cfg, j.recorder.Stored, j.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	book := transcript.Book{Dir: filepath.Join(j.cfg.Data, "logs")}
	tailer := transcript.NewTailer(book)
	tape, err := newTape(j)
	if err != nil {
		return err
	}
	cfg := j.httpd()
	cfg.Store, cfg.Book, cfg.Tailer, cfg.Recorder = j.broken.store(store), book, tailer, tape.recorder()
	cfg.Site = webPages(j.cfg, j.Board(), cfg, book)
	server, err := httpd.New(cfg)
	if err != nil {
		return err
	}
	listeners, err := j.httpListeners()
	if err != nil {
		return err
	}
	var g errgroup.Group
	beside, stopBeside := context.WithCancel(context.WithoutCancel(work))
	g.Go(func() error { return tailer.Run(beside) })
	g.Go(func() error { return tape.run(beside) })
	g.Go(func() error {
		defer stopBeside() // live logs and the recording end with the server, not before
		return server.Run(intake, listeners)
	})
	if err := j.Ready(); err != nil {
		j.log.Warn("master was not told", deployer.KeyError, err)
	}
	return g.Wait()
}

// httpd is what the configuration says of the server; where it reads and writes
// is the caller's to add.
func (j job) httpd() httpd.Config {
	limits := j.cfg.Limits
	var tokens httpd.Tokens
	for _, t := range j.cfg.Tokens {
		tokens = append(tokens, httpd.Token(t))
	}
	return httpd.Config{
		Hooks:    j.cfg.Hooks,
		Projects: j.cfg.Projects,
		Tokens:   tokens,
		Insecure: j.cfg.Insecure,
		Ring:     j.Doorbell(bellRunners).Ring,
		Limits: httpd.Limits{
			Body: limits.Body, BodyBudget: limits.BodyBudget,
			HeaderTimeout: limits.HeaderTimeout, BodyTimeout: limits.BodyTimeout, IdleTimeout: limits.IdleTimeout,
			Connections: limits.Connections, QueryBudget: limits.QueryBudget,
			AcceptTimeout: j.broken.patience(0),
		},
		TrustedProxies: j.cfg.TrustedProxies,
		Version:        versionText(),
		Observer:       j.broken.observer(j.recorder),
		Warden:         newWarden(j.Guard()),
		Log:            j.log,
	}
}

// httpListeners returns the inherited sockets, with TLS if it is configured. The
// certificate is read again by each worker, so SIGHUP takes a new one into use.
func (j job) httpListeners() ([]net.Listener, error) {
	var listeners []net.Listener
	inherited := j.Inherited()
	for _, address := range j.cfg.Listen {
		l, ok := inherited[listenerHTTP(address)]
		if !ok {
			return nil, fmt.Errorf("listen %s was added since the service started: restart it", address)
		}
		listeners = append(listeners, l)
	}
	if len(listeners) != len(inherited) {
		return nil, errors.New("an address was removed from listen since the service started: restart it")
	}
	if j.cfg.TLS.Cert == "" {
		for i, l := range listeners {
			listeners[i] = j.Guard().Listen(l)
		}
		return listeners, nil
	}
	cert, err := tls.LoadX509KeyPair(j.cfg.TLS.Cert, j.cfg.TLS.Key)
	if err != nil {
		return nil, fmt.Errorf("load the TLS certificate: %w", err)
	}
	for i, l := range listeners {
		listeners[i] = j.Guard().ListenTLS(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	}
	return listeners, nil
}
