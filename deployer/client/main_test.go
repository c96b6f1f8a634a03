package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a service and returns a client for it that does not wait long.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*client.Config)) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := client.Config{URL: server.URL, Token: deployer.NewSecret("t0ken"), Timeout: 5 * time.Second}
	for _, f := range change {
		f(&c)
	}
	return connect(t, c)
}

func connect(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	cl, err := client.New(c)
	if err != nil {
		t.Fatalf("new client: %v", err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(fmt.Sprintf("encode answer: %v", err))
	}
}

func refuse(w http.ResponseWriter, status int, code deployer.Code, message, hint string) {
	var p deployer.Problem
	p.Error.Code, p.Error.Message, p.Error.Hint, p.Error.Request = code, message, hint, "r-17"
	answer(w, status, p)
}
