package main

import (
	"log/slog"

	"lmtpd/protocol/server"
)

// logLevels are the levels of the log by their names; slog has none for the lowest.
var logLevels = [...]struct {
	name  string
	level slog.Level
}{
	{"trace", server.LevelTrace}, {"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn}, {"error", slog.LevelError},
}

func parseLevel(s string) (slog.Level, error) {
	var names []string
	for _, l := range logLevels {
		if s == l.name {
			return l.level, nil
		}
		names = append(names, l.name)
	}
	_, err := oneOf(names...)(s)
	return 0, err
}

// levelName is parseLevel the other way round.
func levelName(level slog.Level) string {
	for _, l := range logLevels {
		if level == l.level {
			return l.name
		}
	}
	return level.String()
}
