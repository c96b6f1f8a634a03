package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

//go:embed assets
var assetFiles embed.FS

// asset is a file that never changes under its name, because the name contains
// a hash of what is in it.
type asset struct {
	name string // with the hash
	kind string
	text []byte
}

// loadAssets returns the assets by the name that templates use, and by the one
// with the hash.
func loadAssets() (map[string]asset, error) {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	all := make(map[string]asset)
	for _, e := range entries {
		text, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		ext := path.Ext(e.Name())
		a := asset{
			name: strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:5]) + ext,
			kind: mime.TypeByExtension(ext), text: text,
		}
		switch ext {
		case ".js":
			a.kind = "text/javascript; charset=utf-8" // whatever the machine thinks
		case ".css":
			a.kind = "text/css; charset=utf-8"
		case ".svg":
			a.kind = "image/svg+xml"
		}
		all[e.Name()], all[a.name] = a, a
	}
	return all, nil
}

// assetURL is where a template finds an asset.
func (u *UI) assetURL(name string) (string, error) {
	a, ok := u.assets[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %s", name)
	}
	return "/assets/" + a.name, nil
}

// asset answers GET /assets/{name}. While workers are replaced by newer ones, a
// page may come from one and its assets be asked of another: that one gives
// what it has, and nobody may keep it.
func (u *UI) asset(v *visit) error {
	asked := v.c.Params("name")
	a, ok := u.assets[asked]
	if !ok {
		parts := strings.Split(asked, ".")
		a, ok = u.assets[parts[0]+"."+parts[len(parts)-1]]
	}
	if !ok {
		return deployer.Errorf(deployer.CodeNotFound, "there is no such file")
	}
	v.c.Set(fiber.HeaderContentType, a.kind)
	if a.name == asked {
		v.c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	v.c.Response().SetBodyRaw(a.text)
	return nil
}
