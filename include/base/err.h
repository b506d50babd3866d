/*
 * Why something failed, as text for a person. Filled once, at the deepest
 * place; logged once, at the top. Every function here takes NULL for "nobody
 * asks".
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char text[512];
};

/* Return -1, so that `return err_set(err, ...)` reads well. */
int err_set(struct err *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int err_errno(struct err *, const char *what); /* "what: strerror(errno)" */
/* Puts "prefix: " before the text that is there. */
int err_prefix(struct err *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
