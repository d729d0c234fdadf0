"""`regulars program check | diff | list | show | activate | rollback | cancel`."""

import typer

from deploy.commands.program import deciding, looking

app = typer.Typer(no_args_is_help=True, help="The program: check, compare, put in force, roll back.")
app.command("check")(looking.check)
app.command("diff")(looking.diff)
app.command("list")(looking.list_command)
app.command("show")(looking.show)
app.command("activate")(deciding.activate)
app.command("rollback")(deciding.rollback)
app.command("cancel")(deciding.cancel_command)
