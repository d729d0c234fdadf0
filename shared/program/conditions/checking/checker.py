"""Checks a condition against the fields that exist, and writes it as CEL over flat variables.

Two things happen on the way, both so that authors need not think of types:

- `customer.spend_30d` becomes the variable `customer_spend_30d`, because giving CEL the few values that conditions ask
  for is many times faster than giving it every fact of a customer;
- where whole numbers meet decimals in a computation, the whole ones are converted, as CEL itself refuses to mix them.
"""

from dataclasses import dataclass, field, replace

from shared.program.conditions.checking.functions import FUNCTIONS, METHODS
from shared.program.conditions.checking.reach import always
from shared.program.conditions.checking.rules import (
    all_choices,
    computed,
    joined,
    literal,
    need_fit,
    need_flag,
    need_list,
    need_order,
    need_readable,
    need_signature,
    part,
)
from shared.program.conditions.checking.scope import Checked, Scope, Variable
from shared.program.conditions.checking.values import HOLDS, as_flag, comparison
from shared.program.conditions.syntax.tokens import ConditionError
from shared.program.conditions.syntax.tree import (
    Binary,
    Call,
    Choice,
    Expression,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    Unary,
)
from shared.program.faults import suggestion
from shared.program.vocabulary.fields import OWN_SEGMENTS, SEGMENT, customer_fields
from shared.program.vocabulary.types import ANY, FLAG, NUMBER, Kind, Type

_MACROS = ("exists", "all", "exists_one", "filter")


@dataclass(slots=True)
class Checker:
    """Checks one condition. `variables` are the fields that it turned out to ask for, by their names in CEL."""

    scope: Scope
    variables: dict[str, Variable] = field(default_factory=dict)
    _bound: dict[str, Type] = field(default_factory=dict)

    def condition(self, tree: Expression) -> Checked:
        """The whole condition. Raises `ConditionError` where it cannot be one."""
        checked = self.check(tree)
        if checked.type.kind not in (Kind.FLAG, Kind.ANY):
            raise ConditionError(
                f"A condition is true or false; this one is {checked.type}.",
                tree.at,
                "Compare it with something.",
            )
        return checked

    def check(self, tree: Expression) -> Checked:  # noqa: PLR0911  # one line for each kind of node
        """The CEL and type of one node and all below it."""
        match tree:
            case Literal():
                return literal(tree)
            case Name():
                return self._name(tree)
            case Member():
                return self._member(tree)
            case Index():
                return self._index(tree)
            case Call():
                return self._call(tree)
            case Unary():
                return self._unary(tree)
            case Binary():
                return self._binary(tree)
            case Choice():
                return self._choice(tree)
            case ListOf():
                return self._list(tree)

    # Names and fields

    def _name(self, tree: Name) -> Checked:
        if tree.name in self._bound:
            return Checked(tree.name, self._bound[tree.name])
        if tree.name in ("customer", "event"):
            raise ConditionError(f"Which field of {tree.name}?", tree.at, f"Write {tree.name}.FIELD.")
        known = ["customer", "event", *self._bound]
        named = tree.name in customer_fields()
        hint = f"Did you mean customer.{tree.name}?" if named else suggestion(tree.name, known)
        raise ConditionError(f"There is no {tree.name}.", tree.at, hint)

    def _member(self, tree: Member) -> Checked:
        target = tree.target
        if isinstance(target, Name) and target.name not in self._bound:
            if target.name == "customer":
                return self._variable("customer", tree.field, self._customer_field(tree))
            if target.name == "event":
                return self._variable("event", tree.field, self._event_field(tree, target.at))
        inside = self.check(target)
        return Checked(f"{inside.text}.{tree.field}", part(inside.type, tree))

    def _customer_field(self, tree: Member) -> Type:
        fields = customer_fields()
        if tree.field not in fields:
            hint = suggestion(tree.field, fields)
            raise ConditionError(f"A customer has no field {tree.field}.", tree.at, hint)
        if tree.field in self.scope.without:
            message = (
                f"A part of the score cannot ask for customer.{tree.field}, which follows from the score."
            )
            raise ConditionError(message, tree.at, "Ask for another field.")
        if tree.field != "segments":
            return fields[tree.field]
        if self.scope.nested:
            hint = "Write out what the other one asks for."
            raise ConditionError("A segment cannot ask for segments.", tree.at, hint)
        return Type(Kind.LIST, element=Type(Kind.TEXT, choices=self.scope.segments))

    def _event_field(self, tree: Member, at: int) -> Type:
        event = self.scope.event
        if event is None:
            hint = "Segments ask only for fields of customer."
            raise ConditionError("There is no event here.", at, hint)
        if tree.field in event.fields:
            found = event.fields[tree.field]
            return replace(found, choices=self.scope.segments) if found is SEGMENT else found
        if tree.field in event.personal:
            raise ConditionError(
                f"event.{tree.field} is personal and never reaches a rule.", tree.at, "Ask for another field."
            )
        if event.open:
            return ANY
        hint = suggestion(tree.field, event.fields)
        raise ConditionError(f"This event has no field {tree.field}.", tree.at, hint)

    def _variable(self, root: str, key: str, found: Type, *, tested: bool = False) -> Checked:
        kind = found.kind.name.lower()
        name = (
            f"{root}_{key}__{kind}" + ("_tested" if tested else "") + ("_optional" if found.optional else "")
        )
        variable = self.variables[name] = Variable(name, root, key, found, self.scope.zone, tested)
        return Checked(name, found, variable=variable)

    def _index(self, tree: Index) -> Checked:
        target, index = self.check(tree.target), self.check(tree.index)
        if target.type.kind is Kind.LIST and index.type.kind in (Kind.WHOLE, Kind.ANY):
            return Checked(f"{target.text}[{index.text}]", target.type.element or ANY)
        if target.type.kind is Kind.ANY:
            return Checked(f"{target.text}[{index.text}]", ANY)
        raise ConditionError(f"{str(target.type).capitalize()} has no places [...].", tree.at)

    # Operators

    def _unary(self, tree: Unary) -> Checked:
        operand = self.check(tree.operand)
        if tree.sign == "!":
            need_flag(operand, tree.operand, "!")
            certain = None if operand.certain is None else not operand.certain
            return Checked(f"!({operand.text})", FLAG, certain)
        if not (operand.type.numeric or operand.type.unknown):
            raise ConditionError(f"- needs a number, not {operand.type}.", tree.at)
        return Checked(f"-({operand.text})", Type(operand.type.kind))

    def _choice(self, tree: Choice) -> Checked:
        condition, yes, no = self.check(tree.condition), self.check(tree.yes), self.check(tree.no)
        need_flag(condition, tree.condition, "?")
        if not yes.type.fits(no.type):
            raise ConditionError(
                f"Before : stands {yes.type}, after it {no.type}.", tree.at, "Both must be alike."
            )
        text = f"({condition.text} ? {yes.text} : {no.text})"
        result = Type(yes.type.kind) if yes.type.kind is no.type.kind else NUMBER
        return Checked(text, ANY if yes.type.unknown or no.type.unknown else result)

    def _list(self, tree: ListOf) -> Checked:
        items = [self.check(item) for item in tree.items]
        for item, node in zip(items[1:], tree.items[1:], strict=True):
            if not items[0].type.fits(item.type):
                raise ConditionError(f"The list mixes {items[0].type} and {item.type}.", node.at)
        element = Type(items[0].type.kind, choices=all_choices(items)) if items else None
        return Checked("[" + ", ".join(item.text for item in items) + "]", Type(Kind.LIST, element=element))

    def _binary(self, tree: Binary) -> Checked:
        left, right = self.check(tree.left), self.check(tree.right)
        text = f"({left.text} {tree.sign} {right.text})"
        match tree.sign:
            case "&&" | "||":
                need_flag(left, tree.left, tree.sign)
                need_flag(right, tree.right, tree.sign)
                both = left.flags is not None and right.flags is not None and tree.sign == "&&"
                flags = (*(left.flags or ()), *(right.flags or ())) if both else None
                return Checked(text, FLAG, joined(tree.sign, left.certain, right.certain), flags=flags)
            case "==" | "!=":
                need_fit(left, right, tree)
            case "<" | "<=" | ">" | ">=":
                need_fit(left, right, tree)
                need_order(left, right, tree)
            case "in":
                need_list(left, right, tree)
            case _:
                return computed(left, right, tree)
        certain = always(tree, left.type, right.type)
        return self._noted(comparison(tree, left, right, certain)) or Checked(text, FLAG, certain)

    def _noted(self, flag: Checked | None) -> Checked | None:
        for variable in flag.flags or () if flag else ():
            self.variables[variable.name] = variable
        return flag

    # Calls

    def _call(self, tree: Call) -> Checked:
        if tree.name == "in_segment":
            return self._in_segment(tree)
        if tree.name == "has" and tree.target is None:
            return self._has(tree)
        if tree.target is not None and tree.name in _MACROS:
            return self._macro(tree, tree.target)
        target = None if tree.target is None else self.check(tree.target)
        known = FUNCTIONS if target is None else METHODS
        if tree.name not in known:
            hint = suggestion(
                tree.name, [*known, "has", "in_segment"] if target is None else [*known, *_MACROS]
            )
            raise ConditionError(f"There is no function {tree.name}.", tree.at, hint)
        arguments = [self.check(argument) for argument in tree.arguments]
        need_signature(known[tree.name], target, arguments, tree)
        need_readable(tree)
        if target is not None and tree.name == "contains" and target.type.kind is Kind.LIST:
            return Checked(f"({arguments[0].text} in {target.text})", FLAG)  # CEL has contains for texts only
        written = ", ".join(argument.text for argument in arguments)
        head = tree.name if target is None else f"{target.text}.{tree.name}"
        return Checked(f"{head}({written})", known[tree.name].result)

    def _in_segment(self, tree: Call) -> Checked:
        target = tree.target
        if not (isinstance(target, Name) and target.name == "customer"):
            raise ConditionError(
                "in_segment is asked of the customer.", tree.at, "customer.in_segment('vip')"
            )
        match tree.arguments:
            case (Literal(value=str() as segment),):
                asked = tree.arguments[0]
            case _:
                raise ConditionError(
                    "in_segment needs one id of a segment.", tree.at, "customer.in_segment('vip')"
                )
        found = self._customer_field(Member(tree.at, target, "segments"))
        if self.scope.segments is not None and segment not in self.scope.segments:
            hint = f"{suggestion(segment, self.scope.segments)} {OWN_SEGMENTS}".lstrip()
            raise ConditionError(f"The program has no segment {segment}.", asked.at, hint)
        listed = Variable("customer_segments", "customer", "segments", found, self.scope.zone)
        flag = as_flag(listed, "holds", HOLDS, segment)
        self._noted(flag)
        return flag

    def _has(self, tree: Call) -> Checked:
        match tree.arguments:
            case (Member(target=Name(name="customer" | "event" as root, at=at)) as asked,):
                found = self._customer_field(asked) if root == "customer" else self._event_field(asked, at)
                variable = self._variable(root, asked.field, found, tested=True)
                return Checked(f"({variable.text} != null)", FLAG)
            case (Member() as asked,):
                return Checked(f"has({self.check(asked).text})", FLAG)
            case _:
                raise ConditionError("has asks for one field.", tree.at, "has(event.coupon)")

    def _macro(self, tree: Call, target: Expression) -> Checked:
        over = self.check(target)
        if over.type.kind not in (Kind.LIST, Kind.ANY):
            raise ConditionError(f"{tree.name} goes over a list, not {over.type}.", tree.at)
        match tree.arguments:
            case (Name(name=name, at=at), body):
                pass
            case _:
                hint = f"event.lines.{tree.name}(line, line.sku == 'A-1')"
                raise ConditionError(f"{tree.name} needs a name and a condition.", tree.at, hint)
        if name in ("customer", "event") or name in self._bound:
            raise ConditionError(f"{name} is taken.", at, "Choose another name.")
        if (
            self._bound
        ):  # a thousand lines, a thousand times over, for one event: the stream would stand still
            message = f"{tree.name} cannot go over a list within {tree.name} over another one."
            raise ConditionError(message, tree.at, "Join two conditions with &&, each over one list.")
        self._bound[name] = over.type.element or ANY
        checked = self.check(body)
        del self._bound[name]
        need_flag(checked, body, tree.name)
        result = over.type if tree.name == "filter" else FLAG
        return Checked(f"{over.text}.{tree.name}({name}, {checked.text})", result)
