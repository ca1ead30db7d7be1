#!/usr/bin/env python3
"""Every message that the library can say stands in docs/diagnostics.md, has a remedy, and is limited in its rate.

usage: diagnostics.py ROOT [--list]

A message is the format of an otlog__diagnose, _always or _at, or what an exporter writes as the message of its result.
A part is any other literal of more than one word: a cause or a remedy that some message quotes.

In the page a message is an item of a list: the whole message as code, with <words> for what is filled in, its level in
bold, and what it means and what to do. A message of a result has no level of its own and is marked **answer.** A part
stands within such a message, or within a cell of a table that holds code alone. --list prints what is missing in that
form; to be filled in is what it has in <<angles>>.
"""

import fnmatch
import pathlib
import re
import sys

from c_source import CFile

PAGE = "docs/diagnostics.md"
TABLES = "docs/delivery.md"  # has the parts of answers, from the tables in the code

# Whose literals no message quotes.
NO_PARTS = {
    "sdk/tool/*": "a program of its own",
    "sdk/bridges/*": "clients of the public headers",
    "sdk/events/*": "data of the event models",
    "sdk/settings/table.c": "docs/settings.md is made of it",
    "sdk/settings/page.c": "docs/settings.md is made of it",
    "sdk/inspect/prometheus.c": "docs/metrics.md says it",
    "exporters/json/*": "data",
    "exporters/console/console_lines.c": "part of the console's lines",
    "exporters/http/http_verdict_table.c": "docs/delivery.md is made of it",
    "exporters/otlp_grpc/grpc_verdict*.c": "docs/delivery.md is made of it",
    "*.h": "",
}

# Literals that are no part of a message, by file.
NOT_SAID = {
    "exporters/http/transport.c": {"Failed to connect to <> port <>"},  # libcurl's
    "exporters/http/http_verdict.c": {"wrong version number", "packet length too long"},  # OpenSSL's
    "sdk/api/rare/texts.c": {"unknown verdict"},
    "sdk/queue/queue_books.c": {"unknown reason"},
    "sdk/provider/flush.c": {"unknown result"},
}

# Who may speak every time, as FILE or FILE:FUNCTION, and why that is never often.
UNLIMITED = {
    "exporters/console/console.c:make": "the caller creates an exporter",
    "sdk/settings/grpc_loader.c:find": "the caller creates an exporter",
    "exporters/http/tls.c:otlog__tls_create": "the caller creates an exporter",
    "exporters/peer/tls_files.c:add_files": "the caller creates an exporter",
    "exporters/peer/tls_files.c:say_problem": "once for each problem with a file, which is looked at once a second",
    "exporters/peer/tls_files.c:say_taken": "once for each change of a file, which is looked at once a second",
    "exporters/http/transport.c:add_headers": "the caller creates an exporter",
    "exporters/http/transport.c:say_fault": "the caller creates an exporter",
    "exporters/http/transport.c:otlog__http_create": "the caller creates an exporter",
    "exporters/memory/memory.c:otlog_memory_exporter_create_sized": "the caller creates an exporter",
    "exporters/mito/mito_exporter.c:hand_out": "the caller creates an exporter, or forks",
    "exporters/otlp_file/file.c:lock": "once for each exporter: `lockless` remembers it",
    "exporters/otlp_file/otlp_file.c:create": "the caller creates an exporter",
    "exporters/otlp_grpc/otlp_grpc.c:accept_answer": "once for each exporter: `said_foreign` remembers it",
    "exporters/otlp_grpc/otlp_grpc.c:check_header": "the caller creates an exporter",
    "exporters/otlp_grpc/otlp_grpc.c:say_endpoint": "the caller creates an exporter",
    "exporters/otlp_grpc/otlp_grpc.c:say_no_memory": "the caller creates an exporter",
    "exporters/otlp_http/otlp_http.c:accept_answer": "once for each exporter: `said_foreign` remembers it",
    "exporters/otlp_http/otlp_http.c:open_exporter": "the caller creates an exporter, or forks",
    "sdk/api/rare/registry.c:otlog__seam_fits": "the caller starts a provider",
    "sdk/provider/backing.c": "the caller starts a provider",
    "sdk/settings/environment.c": "the caller starts a provider, or asks for the environment's pipelines",
    "sdk/provider/pipelines.c": "the caller starts a provider",
    "sdk/provider/provider.c:bind": "the caller starts a provider, or forks",
    "sdk/provider/provider.c:make_with": "the caller starts a provider, or forks",
    "sdk/provider/provider.c:leave_to_disk": "the caller shuts a provider down, which is done once",
    "sdk/provider/provider.c:shut_down": "the caller shuts a provider down, which is done once",
    "sdk/provider/provider.c:stop_workers": "the caller shuts a provider down, which is done once",
    "sdk/settings/settings.c:batch_fits_queue": "the caller has the settings read",
    "sdk/settings/messages.c": "the caller has the settings read",
    "sdk/settings/config.c": "the caller starts a provider",
    "sdk/settings/destinations.c": "the caller starts a provider",
    "sdk/queue/recovery/adopted.c": "once for each file that a dead process has left",
    "sdk/queue/cursor.c:otlog__report_troubles": "once for each queue: `damaged` remembers it",
    "sdk/queue/queue.c:close_file": "the caller shuts a provider down, which is done once",
    "sdk/queue/queue.c:say_in_memory": "the caller starts a provider",
    "sdk/queue/scopes.c:otlog__scopes_report": "once for each queue: `too_many` remembers it",
}

# Messages whose remedy is in what they quote, and what that is.
QUOTES_REMEDY = {
    "<>: <> (attempt <> failed; records waiting: <>; the next attempt comes in <> ms)": "an answer",
    "<>: away for <> s: from now on one batch is tried at a time, at least every <> ms, until it is taken; records "
    "waiting: <>. <>": "an answer",
    '<>: one record dropped as <>: <> bytes, logger "<>", event "<>", severity <>, time <>, trace <>: <>': "an answer",
    "<>: <> record<> dropped as <>: <>": "an answer",
    "<>: the destination took a batch, but rejected <> of its <> record<>: <>": "an answer",
    "<> is <>. It is ignored and the default is used instead: <>. <>, or unset it.": "a part",
    "<> is set, but <> is not: nothing goes to a Mito log server. <>, or unset <>.": "a part",
    "queue directory <>: <>; the queue stays in memory, and records in it do not survive the process. To change that, "
    "<>": "a part",
    "the SDK stays off: <>": "a part",
    "<>/<>: <> record<> lost: <>": "a part",
    "cannot write to <>: <>. <>": "a part",
}

# A remedy is a clause behind `. `, `; ` or `: ` that begins with one of these, perhaps after "To …, ", or that says until
# when nothing works, or that there is nothing to be done.
VERBS = (
    "Call Check Choose Correct Create Deliver Do Emit Fill Free Get Give Install Keep Let Log Look Lower Make Raise Redirect Remove "
    "Rename Renew Report Run See Send Set Start Unset Upgrade Use Wait Write"
).split()
REMEDY = re.compile(
    r"[.;:] (?:To [^.;:,]*, )?(?:%s)\b|\buntil .*\bis (?:set|corrected)|\. There is nothing to be done$"
    % "|".join(verb + "|" + verb.lower() for verb in VERBS)
)

LEVELS = {"OTLOG__ERROR": "error", "OTLOG__WARN": "warning", "OTLOG__INFO": "info", "OTLOG__DEBUG": "debug"}
ANSWER = "answer"
CONVERSION = re.compile(r"%[-+#0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|j|z|t|L)?([diouxXeEfFgGaAcspm%])")
NUMBER = "diouxXeEfFgGaA"


def collapse(text):
    return re.sub(r"(?:<>)+", "<>", re.sub(r"\s+", " ", text).strip())


def shape_of_format(text):
    """The fixed text of a format, with <> for what is filled in."""
    text = CONVERSION.sub(lambda m: "%" if m.group(1) == "%" else "<>", text)
    return shape_on_page(text)


def shape_on_page(code):
    return collapse(re.sub(r"<[^<>]*>", "<>", code))


def prose_in(shape):
    """The pieces of fixed text that have more than one word, one of them not all in capitals."""
    for piece in shape.split("<>"):
        piece = piece.strip(" .,;:()\"'")
        words = [word for word in piece.split() if re.search(r"[A-Za-z]", word)]
        if len(words) > 1 and any(re.match(r"\W*[A-Za-z]?[a-z]+\W*$", word) for word in words):
            yield piece


class Message:
    def __init__(self, file, i, text, levels):
        self.place = f"{file.name}:{file.tokens[i].line}"
        self.who = f"{file.name}:{file.functions[i]}"
        self.text = text
        self.levels = levels
        self.shape = shape_of_format(text)
        self.limited = True
        self.needs_remedy = bool(levels & {ANSWER, "error", "warning"})


def diagnosed(file, taken, errors):
    """The messages of otlog__diagnose and its like. Their tokens go to `taken`."""
    limited = ("otlog__diagnose", "otlog__diagnose_once_started")
    positions = {**dict.fromkeys((*limited, "otlog__diagnose_always"), (0, 1)), "otlog__diagnose_at": (1, 2)}
    for i, name, arguments in file.calls(*positions):
        if not file.functions[i]:
            continue  # its declaration
        level_at, format_at = positions[name]
        first, end = arguments[format_at]
        text = file.text_of(file.tokens[first:end])
        levels = {LEVELS[t.text] for t in file.tokens[slice(*arguments[level_at])] if t.text in LEVELS}
        if text is None or not levels:
            errors.append(f"{file.name}:{file.tokens[i].line}: level and format of a message have to be literal")
            continue
        taken.update(range(first, end))
        message = Message(file, i, text, levels)
        message.limited = name in limited or (
            name == "otlog__diagnose_at" and file.source(arguments[0]) != "NULL"
        )
        yield message


def answered(file, taken):
    """What is written as the message of a result, or as a cause that write_message puts a remedy behind."""
    for i, _, arguments in file.calls("snprintf"):
        into = file.source(arguments[0])
        if len(arguments) < 3 or not (re.search(r"(->|\.)message$", into) or into == "cause"):
            continue
        text = file.text_of(file.tokens[slice(*arguments[2])])
        if text and re.search("[a-z]", shape_of_format(text)):
            taken.update(range(*arguments[2]))
            message = Message(file, i, text, {ANSWER})
            message.needs_remedy = into != "cause"
            yield message
    for i in range(2, len(file.tokens)):
        if [token.text for token in file.tokens[i - 2 : i + 1]] == [".", "message", "="]:
            end = i + 1
            while file.is_text(file.tokens[end]):
                end += 1
            text = file.text_of(file.tokens[i + 1 : end])
            if text:
                taken.update(range(i + 1, end))
                yield Message(file, i, text, {ANSWER})


def parts_of(file, taken):
    """(place, shape) of the other literals."""
    for _, _, arguments in file.calls("_Static_assert"):
        taken.update(range(arguments[0][0], arguments[-1][1]))
    i = 0
    while i < len(file.tokens):
        end = i
        while end < len(file.tokens) and file.is_text(file.tokens[end]):
            end += 1
        if end > i and i not in taken:
            text = file.text_of(file.tokens[i:end])
            if text and shape_of_format(text) not in NOT_SAID.get(file.name, ()):
                yield f"{file.name}:{file.tokens[i].line}", shape_of_format(text)
        i = max(end, i + 1)


def read_sources(root, errors):
    messages, parts = [], []
    for path in sorted(p for folder in ("sdk", "exporters") for p in (root / folder).rglob("*.[ch]")):
        file = CFile(path, str(path.relative_to(root)))
        taken = set()
        messages += diagnosed(file, taken, errors)
        messages += answered(file, taken)
        if not any(fnmatch.fnmatch(file.name, pattern) for pattern in NO_PARTS):
            parts += parts_of(file, taken)
    return messages, parts


class Page:
    def __init__(self, path):
        self.messages = {}  # (line, levels, explanation) by shape
        self.cells = []  # (line, shape)
        self.text = ""  # all code
        item = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            self.text += "\n".join(shape_on_page(code) for code in re.findall(r"`([^`]+)`", line)) + "\n"
            item = self.read_item(number, line, item)
            for cell in re.split(r"(?<!\\)\|", line)[1:-1] if line.startswith("|") else []:
                if re.fullmatch(r"\s*`[^`]*`(?:<br>`[^`]*`)*\s*", cell):
                    self.cells += [(number, shape_on_page(code)) for code in re.findall(r"`([^`]*)`", cell)]



    def read_item(self, number, line, item):
        """Takes a line of the item at hand, of which it returns the start: (line, text so far), or None."""
        if line.startswith("- `"):
            item = (number, line)
        elif item and line.startswith("  "):
            item = (item[0], item[1] + " " + line.strip())
        else:
            return None
        match = re.match(r"- `([^`]+)` \*\*([a-z, ]+)\.\*\*(.*)", item[1])
        if match:
            self.messages[shape_on_page(match.group(1))] = (item[0], set(match.group(2).split(", ")), match.group(3))
        return item


def entry_of(message):
    def word(match):
        if match.group(1) == "%":
            return "%"
        return "<number>" if match.group(1) in NUMBER else "<text>"

    code = collapse(CONVERSION.sub(word, message.text))
    return f"- `{code}` **{', '.join(sorted(message.levels))}.** <<what it means, what to do>>."


def check_messages(messages, page, errors, missing):
    for message in messages:
        on_page = page.messages.get(message.shape)
        if not on_page:
            errors.append(f"{message.place}: {PAGE} does not have: {message.shape}")
            missing.append(entry_of(message))
        elif message.levels - on_page[1]:
            errors.append(f"{PAGE}:{on_page[0]}: the level is {', '.join(message.levels)} at {message.place}")
        if message.needs_remedy and not REMEDY.search(message.shape) and message.shape not in QUOTES_REMEDY:
            errors.append(f"{message.place}: no remedy (a clause behind `. ` that begins with a verb): {message.shape}")
        if not message.limited and message.who not in UNLIMITED and message.who.split(":")[0] not in UNLIMITED:
            errors.append(f"{message.place}: not limited in its rate; say in UNLIMITED why it is not said often")


def check_parts(parts, text, errors, missing):
    for place, shape in parts:
        for piece in prose_in(shape):
            if piece not in text:
                errors.append(f"{place}: {PAGE} does not have: {piece}")
                missing.append(f"| `{shape}` | <<what it means, what to do>> |")


def check_page(messages, parts, page, errors):
    said = {message.shape for message in messages}
    levels = {}
    for message in messages:
        levels.setdefault(message.shape, set()).update(message.levels)
    for shape, (line, given, explanation) in page.messages.items():
        if shape not in said:
            errors.append(f"{PAGE}:{line}: nobody says this any more: {shape}")
        elif given - levels[shape]:
            errors.append(f"{PAGE}:{line}: no longer of the level {', '.join(given - levels[shape])}: {shape}")
        if len(explanation.split()) < 3 or "<<" in explanation:
            errors.append(f"{PAGE}:{line}: say what it means and what to do: {shape}")
    text = "\n".join([*said, *(shape for _, shape in parts)])
    for line, shape in page.cells:
        for piece in prose_in(shape):
            if piece not in text:
                errors.append(f"{PAGE}:{line}: nobody says this any more: {piece}")
    whos = {who for m in messages if not m.limited for who in (m.who, m.who.split(":")[0])}
    errors += [f"diagnostics.py: UNLIMITED has {who}, which no longer needs it" for who in UNLIMITED if who not in whos]
    errors += [f"diagnostics.py: QUOTES_REMEDY has what nobody says: {s}" for s in QUOTES_REMEDY if s not in said]


def main():
    root = pathlib.Path(sys.argv[1])
    errors, missing = [], []
    messages, parts = read_sources(root, errors)
    page = Page(root / PAGE)
    check_messages(messages, page, errors, missing)
    check_parts(parts, page.text + collapse((root / TABLES).read_text().replace("`", "")), errors, missing)
    check_page(messages, parts, page, errors)
    if "--list" in sys.argv:
        print("\n".join(dict.fromkeys(missing)))
    elif errors:
        print("\n".join(errors))
        print("--list prints what the page lacks in its form")
    else:
        print(f"{len(messages)} messages and their parts stand in {PAGE}")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
