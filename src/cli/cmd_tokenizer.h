/* The halves of `lemur tokenizer` that read many texts; argv[0] is "tokenizer WORD". */
#ifndef CLI_CMD_TOKENIZER_H
#define CLI_CMD_TOKENIZER_H

int cmd_tokenizer_eval(int argc, char **argv);
int cmd_tokenizer_train(int argc, char **argv);

#endif
