# seadog. `make` alone lists the targets.

SHELL   := /bin/bash
GO      ?= go
BIN     := bin/seadog
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
PKGS    := ./...
# Modules: the second keeps what draws dashboards out of the first.
MODULES := . dashboards
FUZZTIME ?= 20s

.DEFAULT_GOAL := help
.PHONY: help bootstrap build test race lint fuzz bench measure screenshots soak soak-quick soak-long demo dashboards release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

bootstrap: ## install or start what is missing: Docker Engine, Compose, PostgreSQL, Prometheus, nginx, systemd-analyze, Chromium
	@./.ci/bootstrap

build: $(BIN) ## build bin/seadog, one static binary

.PHONY: $(BIN)
$(BIN):
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/seadog

test: lint ## everything, with the real engine, git, PostgreSQL, Prometheus and browser; a short soak
	@gotestsum=$$($(GO) tool -n gotestsum) && failed=0; for module in $(MODULES); do \
	  (cd $$module && "$$gotestsum" --format pkgname-and-test-fails --format-hide-empty-pkg -- -timeout 20m $(PKGS)) || failed=1; done; test $$failed = 0
	@$(MAKE) --no-print-directory soak-brief

race: ## the tests under the race detector
	$(GO) test -race -short -timeout 30m $(PKGS)

lint: ## vet, staticcheck and gofumpt, pinned in go.mod
	@test -z "$$($(GO) tool gofumpt -l cmd deployer watchdog loadtest scenarios dashboards | tee /dev/stderr)" || { echo "run: go tool gofumpt -w ."; exit 1; }
	@staticcheck=$$($(GO) tool -n staticcheck) && set -ex; for module in $(MODULES); do \
	  (cd $$module && $(GO) vet $(PKGS) && "$$staticcheck" $(PKGS)); done

fuzz: ## every fuzz target for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list $(PKGS)); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

bench: build ## the bars: intake and the load tester against their peers; the overview; a log with 200 viewers
	SEADOG_BINARY=$(CURDIR)/$(BIN) $(GO) test -run '^$$' -bench Webhooks -benchtime 1x -timeout 15m ./cmd/seadog
	$(GO) test -run '^$$' -bench Accept -benchtime 3s ./deployer/sqlite ./deployer/postgres
	$(GO) test -run '^$$' -bench Overview -benchtime 100x ./deployer/web
	$(GO) test -run '^$$' -bench Viewers -benchtime 1x ./cmd/seadog/e2e
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./loadtest/attack

measure: build ## the watchdog's bars, against a sick server: about 20 minutes
	$(GO) run ./watchdog/lab/measure -binary $(CURDIR)/$(BIN)

screenshots: ## pictures of every page, in both widths and colour schemes
	@SEADOG_SCREENSHOTS=$(CURDIR)/deployer/web/testdata/screenshots $(GO) test -run Screenshots -count=1 -v ./cmd/seadog/e2e | grep -E 'pictures|painted|SKIPPED|FAIL'

soak: build ## the release gate: every incident replayed against this build; half an hour (SOAK_STORE=postgres)
	@./$(BIN) soak

soak-quick: build ## the same in five minutes
	@./$(BIN) soak --quick

soak-long: build ## the same in eight hours
	@./$(BIN) soak --long

# What the tests end with: one scenario of each kind, when nothing else runs any more.
.PHONY: soak-brief
soak-brief: build
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && ./$(BIN) soak --quick --only $(BRIEF) --dir "$$dir/reports"
BRIEF := vanishing-deploy,deploy-storm,lock-order,frozen-worker,slow-database,recycle-under-load

demo: build ## a signed push, a real Compose deployment, a broken one, its rollback; a deadlock and its incident
	@./$(BIN) demo

dashboards: ## write Grafana's dashboards and Prometheus' rules anew, from dashboards/*.go
	cd dashboards && $(GO) generate $(PKGS)

release: ## static binaries with checksums in dist/
	@rm -rf dist && mkdir dist
	@for arch in amd64 arm64; do \
	  CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/seadog-linux-$$arch ./cmd/seadog; done
	@cd dist && sha256sum seadog-* > SHA256SUMS && cat SHA256SUMS

clean: ## remove what was built
	rm -rf bin dist
