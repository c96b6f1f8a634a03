package config

import "reflect"

// Parse is Load without the file system.
func Parse(path string, source []byte, o Options) (*Config, error) {
	c, _, err := parse(path, path, source, o)
	return c, err
}

// Keys returns the path of every key that the format has, in the places where
// the example shows them: what defaults and projects share under defaults,
// project keys under the project "example", tokens and probes without an index.
func Keys() []string {
	keys := keysOf("", reflect.TypeFor[file]())
	for _, w := range keysOf("", reflect.TypeFor[webhook]()) {
		keys = append(keys, "projects.example.webhook."+w)
	}
	return append(keys, "projects.example.repository", "projects.example.secrets.DATABASE_PASSWORD.secret_file", "projects.example.secrets.API_KEY.secret")
}

func keysOf(path string, t reflect.Type) []string {
	var keys []string
	fields := map[string]reflect.Value{}
	for _, name := range collectFields(reflect.New(t).Elem(), fields) {
		key := child(path, name)
		keys = append(keys, key)
		field := fields[name].Type()
		if field.Kind() == reflect.Slice {
			field = field.Elem()
		}
		if field.Kind() == reflect.Struct && field != secretType {
			keys = append(keys, keysOf(key, field)...)
		}
	}
	return keys
}
