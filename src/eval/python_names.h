/* Python's words, each list ended by NULL. */
#ifndef EVAL_PYTHON_NAMES_H
#define EVAL_PYTHON_NAMES_H

/* They stand between values. */
extern const char *const python_operator_words[];
/* They begin a construct with names of its own. */
extern const char *const python_binding_words[];
/* No value begins with them. */
extern const char *const python_statement_words[];
/* What eval finds: the built-in names, and those of mint-bench's reasoning.py. */
extern const char *const python_known_names[];
/* The same, of the function that calls eval. */
extern const char *const python_local_names[];

#endif
