"""Every key and what it means, the same on every page: the scripts, the `?` sheet and docs/reference/shortcuts.md.

A template puts a key on a button or link by `{% key "e" %}`, which knows only the letters of `LETTERS`; the keys of
`BUILT_IN` belong to static/ui/js/keys.js. The letters after `g` are those of the navigation, see `ui.nav`. Tests hold
all of them together: no key without a meaning, no meaning without a key.

"Shift x" is a letter pressed with the shift key. No single key works while somebody types, and a switch in the
profile turns them off (WCAG 2.1.4).
"""

from daytwo_server.ui.strict import choice

# In every list, and on every page. The words are those of keys.js.
BUILT_IN = {
    "j": "Next row; after the last one the link to older rows, which another j follows",
    "k": "Previous row; before the first one the link to newer rows",
    "Enter": "Open the row",
    "o": "Look at the row without leaving the list",
    "Space": "Look at the row without leaving the list",
    "x": "Select the row",
    "Shift x": "Select the rows up to this one",
    "Shift j": "Select the row and go to the next one",
    "Shift k": "Select the row and go to the previous one",
    "/": "Search",
    "?": "Show the keys of this page",
}

# What rooms put on their buttons. In a list they act on the current row, or on what is selected.
LETTERS = {
    "Ctrl k": "Search everything, jump to an id, or run a command (⌘ k on a Mac)",
    "c": "Create, or invite",
    "e": "Resolve, or open again",
    "f": "Filter",
    "h": "Ignore",
    "l": "Label",
    "m": "Merge",
    "n": "Write an internal note",
    "r": "Reply",
    "s": "Assign",
    "z": "Undo what was just done, for a minute",
    "j": "Next, on a page that was opened from a list",
    "k": "Previous, on a page that was opened from a list",
    ";": "Insert a saved reply",
    "[": "Older event",
    "]": "Newer event",
    "Shift a": "Select all rows of the page",
    "Escape": "Clear the selection, close what is open, or go back to the list",
}

# Kept for these meanings, so that no two pages ever disagree. Whoever first needs one moves it to LETTERS.
RESERVED = {
    "a": "Acknowledge",
}


def known(key: str) -> str:
    """`key` if it has a meaning; `strict.choice` says what happens to another one."""
    return choice(key, LETTERS, "shortcut")
