package dashboards

import (
	"path/filepath"
	"strings"
)

// Files returns everything that is generated, by its path from the directory of this package.
func Files() (map[string][]byte, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{filepath.Join("prometheus", "rules.yml"): rules}
	for _, b := range Boards() {
		encoded, err := b.JSON()
		if err != nil {
			return nil, err
		}
		files[filepath.Join("grafana", "boards", strings.TrimPrefix(b.UID, "seadog-")+".json")] = encoded
	}
	return files, nil
}
