# Run by gdb over a core: what it knows of every frame and of the expressions in EXPRESSIONS, as JSON on standard output.
import json
import os
import re
import gdb


def number(text):
    return text.split(" ")[0]


def plain(value, depth=0):
    """A value without what is only gdb's way to write it: numbers as text, structures as lists of pairs."""
    try:
        kind = value.type.strip_typedefs()
        code = kind.code
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            return {"fields": [[f.name or "", plain(value[f], depth + 1)] for f in kind.fields()]}
        if code == gdb.TYPE_CODE_ARRAY:
            low, high = kind.range()
            if kind.sizeof == 0:
                return {"items": []}
            return {"items": [plain(value[i], depth + 1) for i in range(low, high + 1)]}
        if value.is_optimized_out or re.search("<(optimized out|synthetic pointer)>", str(value)):
            return {"gone": True}
        if kind.sizeof > 8 and code == gdb.TYPE_CODE_INT:
            return {"wide": value.format_string(format="x")}
        if code == gdb.TYPE_CODE_ENUM:
            return {"enum": str(value), "number": str(int(value))}
        if code == gdb.TYPE_CODE_BOOL:
            return str(bool(value)).lower()
        if code == gdb.TYPE_CODE_PTR:
            if kind.target().strip_typedefs().code == gdb.TYPE_CODE_FUNC:
                return {"code": value.format_string(symbols=True).split(") ")[-1]}
            return {"pointer": hex(int(value) & (2**64 - 1))}
        if code == gdb.TYPE_CODE_FLT:
            return {"float": str(value)}
        if code == gdb.TYPE_CODE_COMPLEX:
            return {"complex": str(value)}
        return str(int(value))
    except gdb.error as problem:
        # A piece of it is gone, or its memory is.
        return {"gone": True, "why": str(problem)}


def typed(value):
    return {"type": str(value.type), "value": plain(value)}


def variables(frame):
    found = []
    seen = set()
    frame.select()
    block = frame.block()
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            if symbol.name in seen or not (symbol.is_argument or symbol.is_variable):
                continue
            seen.add(symbol.name)
            try:
                found.append([symbol.name, typed(symbol.value(frame))])
            except gdb.error as problem:
                found.append([symbol.name, {"type": "?", "value": {"gone": True, "why": str(problem)}}])
        if block.function is not None:
            break
        block = block.superblock
    return found


def frames():
    frame = gdb.newest_frame()
    while frame is not None and frame.is_valid():
        place = frame.find_sal()
        known = frame.function() is not None
        yield {
            "function": frame.name(),
            "pc": hex(frame.pc()),
            "line": place.line,
            "file": place.symtab.filename if place.symtab else "",
            "inlined": frame.type() == gdb.INLINE_FRAME,
            "known": known,
            "variables": variables(frame) if known else [],
        }
        frame = frame.older()


def evaluated(expressions):
    values = {}
    for text in expressions:
        try:
            values[text] = typed(gdb.parse_and_eval(text))
        except gdb.error as problem:
            values[text] = {"error": str(problem)}
    return values


answer = {}
expressions = json.loads(os.environ["EXPRESSIONS"])
for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
    thread.switch()
    stack = list(frames())
    for n, frame in enumerate(stack):
        if frame["known"] and "values" in frame["file"]:
            gdb.execute("frame %d" % n, to_string=True)
            break
    answer[str(thread.ptid[1])] = {"frames": stack, "values": evaluated(expressions)}
print("\nANSWER " + json.dumps(answer))
