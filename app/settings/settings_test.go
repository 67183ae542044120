package settings

import (
	"io"
	"testing"
)

// TestOpsListen: the ops address is loopback unless it is named, and none where that is asked for.
func TestOpsListen(t *testing.T) {
	for _, c := range []struct {
		flag, env string
		want      string
	}{{"", "", "127.0.0.1:9090"}, {"", "10.0.0.1:9", "10.0.0.1:9"}, {":1", "10.0.0.1:9", ":1"}, {"none", "10.0.0.1:9", ""}, {"", "none", ""}} {
		var args []string
		if c.flag != "" {
			args = []string{"-ops-listen", c.flag}
		}
		env := func(name string) string { return map[string]string{"IDGATE_OPS_LISTEN": c.env}[name] }
		s, err := Read("serve", "", args, env, io.Discard, func(*Serve) []string { return nil })
		if err != nil || s.OpsListen != c.want {
			t.Errorf("%+v: %q, %v", c, s.OpsListen, err)
		}
	}
}
