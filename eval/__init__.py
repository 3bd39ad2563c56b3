"""The papers' benchmarks: tasks, generation, extraction, sandboxed execution, scores.

Never `import eval.x`: it hides the builtin `eval`. Write `from eval import x`.
"""
