"""Renders templates with Jinja2 set up as dbt sets it up: one JSON string per line in, {output} or {error} per line out."""
import json, sys
import jinja2.sandbox

env = jinja2.sandbox.SandboxedEnvironment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])
names = json.loads(sys.stdin.readline())
for line in sys.stdin:
    template = json.loads(line)
    try:
        compiled = env.from_string(template)
    except (jinja2.TemplateSyntaxError, SyntaxError):
        answer = {"error": "syntax"}
    else:
        try:
            answer = {"output": compiled.render(json.loads(json.dumps(names)))}
        except Exception:
            answer = {"error": "runtime"}
    print(json.dumps(answer), flush=True)
