/*
 * Where the server makes one of the avatars of PEP (XEP-0084) and vCard (XEP-0153), a new
 * one of the first kind changes the hash in the account's presence (XEP-0398 4), whatever
 * clients of the second kind said before: a server need not overwrite what is there.
 */
#include "mod/avatar.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/availability.h"
#include "mod/info.h"

#define CONVERSION "urn:xmpp:pep-vcard-conversion:0"
/* XEP-0084 4.2: SHA-1, in hexadecimal digits. */
#define ID_LEN 40

/* Of the image that is published beside it, not of one that is elsewhere (3.1). */
static const char *
id_of(const struct elem *metadata)
{
	ELEM_EACH(info, metadata) {
		if (elem_is(info, AVATAR_METADATA, "info") &&
		    elem_attr(info, "url") == NULL)
			return elem_attr(info, "id");
	}
	return NULL;
}

/* The last item's; NULL: there is no avatar, or nothing of use is said of it. */
static const char *
photo_of(const struct elem *items)
{
	const struct elem *metadata;
	const char *id = NULL;

	ELEM_EACH(item, items) {
		metadata = elem_find(item, AVATAR_METADATA, "metadata");
		id = metadata != NULL ? id_of(metadata) : NULL;
	}
	return id != NULL && strlen(id) == ID_LEN ? id : NULL;
}

void
avatar_changed(struct account *a, const struct elem *items)
{
	const char *photo = photo_of(items);

	if (!info_says_feature(a->own_info, CONVERSION) ||
	    text_equals(photo, a->photo))
		return;
	free(a->photo);
	a->photo = mem_strdup(photo);
	account_touch(a, ACCOUNT_SELF);
	availability_update(a);
}
