package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestKeysOfLogLinesAreConstants: a key that is spelled out where it is used is
// one that nobody finds when looking for it.
func TestKeysOfLogLinesAreConstants(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	seen := 0
	for _, area := range []string{"../../deployer", "../../watchdog", "../../loadtest", "."} {
		err := filepath.WalkDir(area, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				for _, key := range keysOf(call) {
					seen++
					if lit, ok := key.(*ast.BasicLit); ok {
						t.Errorf("%s: the key %s is no constant", files.Position(lit.Pos()), lit.Value)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 100 {
		t.Errorf("only %d keys were found", seen)
	}
}

// keysOf returns the keys in a call of a logger, or of what makes attributes.
func keysOf(call *ast.CallExpr) []ast.Expr {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if pkg, ok := method.X.(*ast.Ident); ok && pkg.Name == "slog" {
		kinds := []string{"String", "Int", "Int64", "Uint64", "Float64", "Bool", "Duration", "Time", "Any", "Group"}
		if slices.Contains(kinds, method.Sel.Name) && len(call.Args) > 0 {
			return call.Args[:1]
		}
		return nil
	}
	first, ok := map[string]int{
		"With": 0, "Debug": 1, "Info": 1, "Warn": 1, "Error": 1,
		"DebugContext": 2, "InfoContext": 2, "WarnContext": 2, "ErrorContext": 2,
	}[method.Sel.Name]
	if !ok || !isLogger(method.X) {
		return nil
	}
	var keys []ast.Expr
	for i := first; i < len(call.Args); i += 2 {
		if _, attr := call.Args[i].(*ast.CallExpr); attr {
			i-- // slog.String(…) takes one place, and was looked at by itself
			continue
		}
		keys = append(keys, call.Args[i])
	}
	return keys
}

func isLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return strings.EqualFold(x.Name, "log")
	case *ast.SelectorExpr:
		return strings.EqualFold(x.Sel.Name, "log")
	case *ast.CallExpr:
		return isLogger(x.Fun)
	}
	return false
}
