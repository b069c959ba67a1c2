/* The last line of a traceback, in two versions of Python: the same complaint?  CPython has reworded errors
 * from version to version, and a recording made by 3.8 shall be compared with what runs here.
 *
 * Sources: the exceptions' texts in python/cpython, Objects/, Python/ and Modules/, branches 3.8 to 3.13. */
#ifndef EVAL_WORDING_H
#define EVAL_WORDING_H

#include "base/str.h"

typedef enum { WORDING_DIFFERENT, WORDING_EQUAL, WORDING_REWORDED } Wording;

/* "KeyError: 'a'" and the like.  Two errors of syntax are one complaint whatever they say: 3.9 and 3.10
 * brought another parser. */
Wording wording_compare(Span a, Span b);

#endif
