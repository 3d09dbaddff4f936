"""The commands, a file per noun, found by its name; `frame.finding` says what such a file begins with."""
