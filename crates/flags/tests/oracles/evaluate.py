"""Evaluates flags with flagd's evaluator for Python: an oracle of the tests.

Reads lines of JSON, each `{ document, cases: [{ flagKey, type, default, context }] }`, and answers each case by a line
`{ reason, variant, value }` or `{ error, message }`. `type` is boolean, string, integer, float or object.
"""

import json
import logging
import sys

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        asked = json.loads(line)
        evaluator = FlagdCore()
        try:
            evaluator.set_flags(asked["document"])
        except Exception as error:
            answers = [failure(error) for _ in asked["cases"]]
        else:
            answers = [answer(evaluator, case) for case in asked["cases"]]
        for line in answers:
            print(json.dumps(line, allow_nan=False))


def answer(evaluator, case):
    attributes = dict(case["context"])
    context = EvaluationContext(attributes.pop("targetingKey", None), attributes)
    resolve = getattr(evaluator, f"resolve_{case['type']}_value")
    try:
        details = resolve(case["flagKey"], case["default"], context)
    except Exception as error:
        return failure(error)
    return {"reason": str(details.reason), "variant": details.variant, "value": details.value}


def failure(error):
    """What an SDK makes of an error that an evaluator raises."""
    code = error.error_code.value if isinstance(error, OpenFeatureError) else "GENERAL"
    return {"error": code, "message": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
