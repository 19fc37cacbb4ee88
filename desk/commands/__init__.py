"""The commands of the command line, one file a group; `desk.cli` names them and calls them.

A handler takes the parsed options and returns the exit code: 0 done, 2 usage, 3 refused by a rule
or a right, 4 not signed in or locked, 5 the hub is needed and does not answer.
"""
