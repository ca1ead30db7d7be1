"""A C file as its calls and string literals, for checks that ask no more of it."""

import re

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<directive>^[ \t]*\#(?:/\*.*?\*/|[^\n\\]|\\.)*)
    |(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<char>'(?:[^'\\\n]|\\.)*')|(?P<name>[A-Za-z_]\w*)
    |(?P<number>\.?\d[\w.]*)|(?P<space>\s+)|(?P<mark>.)""",
    re.X | re.S | re.M,
)
DEFINE = re.compile(r"#\s*define\s+(\w+)[ \t]+(.*)", re.S)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


class Token:
    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line


def tokens_of(source):
    line = 1
    for match in TOKEN.finditer(source):
        if match.lastgroup not in ("comment", "space"):
            yield Token(match.lastgroup, match.group(), line)
        line += match.group().count("\n")


def unquote(literal):
    return re.sub(r"\\(x[0-9a-fA-F]+|.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), literal[1:-1])


class CFile:
    def __init__(self, path, name):
        self.name = name
        self.macros = {}  # those that hold literals: tokens by name
        self.tokens = []
        for token in tokens_of(path.read_text()):
            if token.kind == "directive":
                self._define(token.text)
            else:
                self.tokens.append(token)
        self.functions = self._find_functions()  # of each token, or ""

    def _define(self, directive):
        match = DEFINE.match(directive.strip())
        if match:
            inner = list(tokens_of(match.group(2).replace("\\\n", " ")))
            if any(token.kind == "string" for token in inner):
                self.macros[match.group(1)] = inner

    def is_text(self, token):
        return token.kind == "string" or (
            token.kind == "name" and (token.text.startswith("PRI") or token.text in self.macros)
        )

    def text_of(self, tokens):
        """Adjacent literals as one text, or None if something else is among them."""
        text = ""
        for token in tokens:
            if not self.is_text(token):
                return None
            if token.kind == "string":
                text += unquote(token.text)
            elif token.text in self.macros:
                inner = self.text_of(self.macros[token.text])
                if inner is None:
                    return None
                text += inner
            else:
                text += "ld"  # PRIu64 and its like
        return text

    def _find_functions(self):
        names, depth, name = [], 0, ""
        for i, token in enumerate(self.tokens):
            if token.text == "{":
                name = self._function_before(i) if depth == 0 else name
                depth += 1
            names.append(name)
            if token.text == "}":
                depth -= 1
                name = name if depth else ""
        return names

    def _function_before(self, i):
        depth = 0
        for j in range(i - 1, 0, -1):
            depth += {")": 1, "(": -1}.get(self.tokens[j].text, 0)
            if depth == 0:
                return self.tokens[j - 1].text if j < i - 1 and self.tokens[j - 1].kind == "name" else ""
        return ""

    def arguments(self, i):
        """Of the call whose name is token i: each argument as (first, behind the last) of its tokens."""
        depth, first, found = 0, i + 2, []
        for j in range(i + 1, len(self.tokens)):
            text = self.tokens[j].text
            if text in ("(", "[", "{"):
                depth += 1
            elif text in (")", "]", "}"):
                depth -= 1
            if depth == 0 or (depth == 1 and text == ","):
                found.append((first, j))
                first = j + 1
            if depth == 0:
                break
        return found

    def calls(self, *names):
        """(token, name, arguments) of each call to one of these."""
        for i, token in enumerate(self.tokens[:-1]):
            if token.kind == "name" and token.text in names and self.tokens[i + 1].text == "(":
                yield i, token.text, self.arguments(i)

    def source(self, argument):
        """An argument as it is written, without spaces."""
        return "".join(token.text for token in self.tokens[slice(*argument)])
