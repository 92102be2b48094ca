package config

import "github.com/sidehook/sidehook/rules/strictyaml"

// Log is what is logged, and how.
type Log struct {
	Format LogFormat `yaml:"format"`
	// Level is the lowest level of lines that are written.
	Level LogLevel `yaml:"level"`
	// Access is whether there is a line for each request of a participant, of level info.
	Access bool `yaml:"access"`
}

// LogFormat is the form of a log line.
type LogFormat string

// Log formats.
const (
	// LogText is key=value pairs.
	LogText LogFormat = "text"
	// LogJSON is a JSON object.
	LogJSON LogFormat = "json"
)

var logFormatWords = []LogFormat{LogText, LogJSON}

// UnmarshalText reads text or json.
func (f *LogFormat) UnmarshalText(text []byte) (err error) {
	*f, err = strictyaml.OneOf(string(text), logFormatWords...)
	return err
}

// LogLevel is how much a log line matters.
type LogLevel string

// Log levels.
const (
	// LogDebug is for a line per watched exchange and per attempt.
	LogDebug LogLevel = "debug"
	// LogInfo is for what an operator does or may want to know.
	LogInfo LogLevel = "info"
	// LogWarn is for what may need an operator.
	LogWarn LogLevel = "warn"
	// LogError is for what needs an operator.
	LogError LogLevel = "error"
)

var logLevelWords = []LogLevel{LogDebug, LogInfo, LogWarn, LogError}

// UnmarshalText reads the name of a level.
func (l *LogLevel) UnmarshalText(text []byte) (err error) {
	*l, err = strictyaml.OneOf(string(text), logLevelWords...)
	return err
}
