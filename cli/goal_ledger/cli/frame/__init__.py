"""The frame of the command line: the root command, its options, and the one way to answer."""
