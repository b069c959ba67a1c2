#include "eval/python_names.h"

#include <stddef.h>

const char *const python_operator_words[] = {
    "and", "or", "not", "if", "else", "in", "is", "for", NULL,
};

const char *const python_binding_words[] = {
    "lambda", "await", "yield", "async", NULL,
};

const char *const python_statement_words[] = {
    "not", "as", "assert", "break", "class", "continue", "def", "del", "elif", "except", "finally", "from",
    "for", "global", "import", "nonlocal", "pass", "raise", "return", "try", "while", "with", "if", "else",
    "and", "or", "in", "is", NULL,
};

const char *const python_known_names[] = {
    "abs", "aiter", "all", "anext", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes",
    "callable", "chr", "classmethod", "compile", "complex", "copyright", "credits", "delattr", "dict",
    "dir", "divmod", "enumerate", "eval", "exec", "exit", "filter", "float", "format", "frozenset",
    "getattr", "globals", "hasattr", "hash", "help", "hex", "id", "input", "int", "isinstance",
    "issubclass", "iter", "len", "license", "list", "locals", "map", "max", "memoryview", "min", "next",
    "object", "oct", "open", "ord", "pow", "print", "property", "quit", "range", "repr", "reversed",
    "round", "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "type",
    "vars", "zip", "NotImplemented", "Ellipsis", "re", "ast", "logging", "traceback", "np", "Rational",
    "Task", "Optional", "Any", "LOGGER", "ReasoningTask", "MultipleChoiceTask", "TheoremqaTask",
    "compare_two_numbers", "compare_two_list", "within_eps", "parse_number_list", "is_number",
    "is_scientific_number", "contain_num_and_str", NULL,
};

const char *const python_local_names[] = {
    "self", "solution", "prediction", "__class__", "__name__", "__file__", "__doc__", "__builtins__",
    "__debug__", "__import__", NULL,
};
