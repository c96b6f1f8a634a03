package service_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/fastguard"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/service"
	"github.com/seadog/seadog/watchdog/worker"
)

// A Fiber service with two workers and a warm spare. A report that takes more
// than two seconds is answered with 504 by the watchdog, and its context ends.
func Example_fiber() {
	serve := func(w *worker.Worker, intake, work context.Context) error {
		app := fiber.New(fiber.Config{DisableStartupMessage: true})
		app.Get("/report", fastguard.Route(w.Guard(), "GET /report", guard.Limits{Deadline: 2 * time.Second}), func(c *fiber.Ctx) error {
			return makeReport(fastguard.Conn(c.Context()).Context(), c)
		})
		fastguard.Attach(w.Guard(), app.Server())
		return service.ServeUntil(intake, work, w, "web", app.Listener)
	}
	err := service.Run(context.Background(), service.Config{
		Listen: []handoff.Spec{{Name: "web", Address: ":8080"}},
		Pools:  []watchdog.Pool{{Name: "web", Count: 2, Slots: 1024, Spare: true, Listeners: []string{"web"}}},
		Routes: []string{"GET /report"},
		Data:   "/var/lib/reports",
		Serve:  map[string]service.Serve{"web": serve},
		Log:    slog.New(slog.NewTextHandler(os.Stdout, nil)),
	})
	if err != nil {
		fmt.Println(err)
	}
}

// The same with net/http: the context of the request is the guarded one.
func Example_netHTTP() {
	serve := func(w *worker.Worker, intake, work context.Context) error {
		limited := w.Guard().Route("GET /report", guard.Limits{Deadline: 2 * time.Second})
		mux := http.NewServeMux()
		mux.Handle("GET /report", limited(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if err := makeReport(r.Context(), rw); err != nil {
				http.Error(rw, "no report", http.StatusInternalServerError)
			}
		})))
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
		w.Guard().HTTP(server)
		return service.ServeUntil(intake, work, w, "web", server.Serve)
	}
	err := service.Run(context.Background(), service.Config{
		Listen: []handoff.Spec{{Name: "web", Address: ":8080"}},
		Pools:  []watchdog.Pool{{Name: "web", Count: 2, Slots: 1024, Spare: true, Listeners: []string{"web"}}},
		Routes: []string{"GET /report"},
		Data:   "/var/lib/reports",
		Serve:  map[string]service.Serve{"web": serve},
		Log:    slog.New(slog.NewTextHandler(os.Stdout, nil)),
	})
	if err != nil {
		fmt.Println(err)
	}
}

// makeReport gives up when ctx ends.
func makeReport(ctx context.Context, to io.Writer) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	_, err := to.Write([]byte("all is well\n"))
	return err
}
