package main

import (
	"log/slog"
	"testing"

	"lmtpd/protocol/server"
)

// Every level of the log can be said, and is told as it was said.
func TestLogLevels(t *testing.T) {
	for name, want := range map[string]slog.Level{
		"trace": server.LevelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	} {
		cfg := load(t, "[log]\nlevel = \""+name+"\"\n", overrides{})
		if cfg.Log.Level != want || levelName(want) != name {
			t.Errorf("%s: %v, told as %s", name, cfg.Log.Level, levelName(want))
		}
	}
}
