/* Files that proxy.xml names, and itself. */
#ifndef CORE_CONFIG_FILE_H
#define CORE_CONFIG_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The whole of a regular file of at most `max` bytes. Where it holds secrets and
 * everybody can read it warn() is told (may be NULL). 0, or -1 and err, which
 * does not name the file.
 */
int config_file_read(struct buf *out, const char *path, size_t max,
    void (*warn)(const char *text), struct err *);
/* Whether it can be read at all. */
int config_file_try(const char *path, struct err *);

/* `path`, or folder/path where it is relative. The caller frees. */
char *config_file_under(const char *folder, const char *path);
/* The absolute path of the folder that `path` is in; symbolic links stay. */
char *config_file_folder(const char *path);

#endif
