"""The subcommands of `regulars` that work on an installation: keys, dead letters, the program file."""
