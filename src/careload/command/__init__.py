"""The command line: arguments, help, the front door, the launch of jobs."""
