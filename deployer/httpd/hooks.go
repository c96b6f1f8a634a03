package httpd

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

// deliver takes one webhook: POST /hooks/{hook}, and with the secret as a
// second segment for Docker Hub, which cannot sign.
//
// The hook is looked up before the body is read, the signature is checked
// before the body is parsed, and nothing is answered before the store has made
// delivery, decisions and deployments durable.
func (s *Server) deliver(x *exchange) error {
	hook, ok := s.hooks[x.c.Params("hook")]
	token := x.c.Params("token")
	if !ok || token != "" && hook.Provider != deployer.DockerHub {
		return deployer.Errorf(deployer.CodeNotFound, "there is no such hook").
			WithHint("the path is /hooks/NAME, with a name from the configuration")
	}
	if encoding := x.c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return deployer.Errorf(deployer.CodeInvalid, "the body must not be compressed")
	}
	body, err := s.bodies.read(x.ctx, x.c.Context(), x.route.body)
	if err != nil {
		return err
	}
	intake, err := s.understand(x, hook, token, body.bytes)
	s.keep(x, hook, intake, body.bytes, err)
	body.free() // nothing in intake points into it
	if err != nil {
		return err
	}
	return s.accept(x, intake)
}

// keep gives a delivery whose proof was checked to the recorder. What it is
// recorded with leads to no secret: neither the token of its path nor its query.
func (s *Server) keep(x *exchange, h *hook, intake deployer.Intake, body []byte, err error) {
	if s.cfg.Recorder == nil {
		return
	}
	d := deployer.RawDelivery{
		ReceivedAt: intake.ReceivedAt, Hook: h.Name, Provider: h.Provider, Method: x.c.Method(), Path: "/hooks/" + h.Name,
		Header: func(name string) string { return x.c.Get(name) }, Body: body,
		Proof: deployer.ProofGood, Event: intake.Event, ExternalID: intake.ExternalID,
	}
	if err != nil {
		d.Refused = deployer.CodeOf(err)
	}
	switch {
	case d.Refused == deployer.CodeUnauthorized:
		d.Proof = deployer.ProofBad
	case len(h.Secrets) == 0:
		d.Proof = deployer.ProofNone
	}
	s.cfg.Recorder.Record(d)
}

// understand verifies and parses a delivery, and decides which of its pushes are wanted.
func (s *Server) understand(x *exchange, h *hook, token string, body []byte) (deployer.Intake, error) {
	now := s.cfg.Now()
	intake := deployer.Intake{Hook: h.Name, Provider: h.Provider, ReceivedAt: now, Bytes: len(body)}
	r := webhook.Request{
		Header:      func(name string) string { return x.c.Get(name) },
		Body:        body,
		ContentType: x.c.Get(fiber.HeaderContentType),
		Token:       token,
		Now:         now,
	}
	if !s.cfg.Insecure || len(h.Secrets) > 0 {
		if err := webhook.Verify(h.Provider, h.Secrets, r); err != nil {
			s.cfg.Observer.Unverified(h.Provider)
			s.complain(x, h, err, now)
			return intake, err
		}
	}
	event, err := webhook.Parse(h.Provider, r)
	if err != nil {
		return intake, err
	}
	intake.ExternalID, intake.Event = event.ID, event.Name
	intake.Wanted, intake.Ignored = sort(h, event)
	return intake, nil
}

// complain tells the operator, at most once a minute and hook, that deliveries
// do not verify. They are not recorded, so the log is the only place where a
// wrong secret shows; but a stranger must not be able to fill it.
func (s *Server) complain(x *exchange, h *hook, err error, now time.Time) {
	last := h.refused.Load()
	if now.Unix()-last < 60 || !h.refused.CompareAndSwap(last, now.Unix()) {
		return
	}
	s.cfg.Log.Warn("a delivery was refused; more of the same are not logged for a minute",
		slog.String(deployer.KeyHook, h.Name), slog.String(deployer.KeyRequest, x.id), slog.Any(deployer.KeyError, err))
}

// accept makes a delivery durable and answers with what was decided.
func (s *Server) accept(x *exchange, intake deployer.Intake) error {
	ctx, cancel := context.WithTimeout(x.ctx, s.cfg.Limits.AcceptTimeout)
	defer cancel()
	delivery, err := s.cfg.Store.Accept(ctx, intake)
	if err != nil {
		// Whatever it was: nothing is known to be persisted, and this is the one
		// answer after which some forges send again. If it was after all, that
		// one is a duplicate.
		return deployer.Errorf(deployer.CodeUnavailable, "the delivery could not be recorded").
			WithHint("deliver it again").Because(err)
	}
	x.delivery = delivery.ID
	status, queued := fiber.StatusOK, false
	for _, d := range delivery.Decisions {
		x.deployment = max(x.deployment, d.Deployment) // the newest of them
		if d.Verdict.Deploys() {
			status = fiber.StatusAccepted
		}
		queued = queued || d.Verdict == deployer.VerdictQueued
	}
	if queued { // what was coalesced has been rung for, what was deferred must wait
		s.cfg.Ring()
	}
	s.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "delivery recorded", slog.String(deployer.KeyHook, intake.Hook),
		slog.Int64(deployer.KeyDelivery, delivery.ID), slog.String(deployer.KeyRequest, x.id))
	return x.json(status, delivery)
}
