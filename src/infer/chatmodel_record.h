/* A ChatModel that passes calls on to another and records them, so that a script (chatmodel.h) can give the
 * same answers again.
 *
 * The file is JSONL, one chatmodel_script_line a call, failed ones too, in the order in which they ended.
 * Each line is written whole before its call returns: a run that is killed leaves a file that replays.  What
 * is there already stays, but for half a line that such a run has left at its end. */
#ifndef INFER_CHATMODEL_RECORD_H
#define INFER_CHATMODEL_RECORD_H

#include "infer/chatmodel.h"

/* Borrows `inner` until *out is closed, which does not close it.  Any number of threads at once, if `inner`
 * takes them.  A call whose line cannot be written fails with ST_IO: what cannot be replayed is not gone on
 * with.  Calls that were cancelled are passed on and not recorded: nobody asks for them in a replay.
 *   ST_ARG  another process records into it, or its last line is no record: it holds something else
 *   ST_IO   cannot be opened */
MUST_CHECK Status chatmodel_record_open(ChatModel **out, ChatModel *inner, const char *path);

#endif
