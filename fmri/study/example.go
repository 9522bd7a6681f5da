package study

import _ "embed"

// Example is a commented configuration for a real tree and a real model.
//
//go:embed example.toml
var Example string
