/* Bugs stop the program where they are seen: check(condition) prints it with file and line, and aborts.
 * Always compiled in; the condition has no side effect. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define check(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))

_Noreturn void check_failed(const char *expr, const char *file, int line);

#endif
