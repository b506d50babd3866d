-- Prosody 0.12.3 goes on with the parser of the connection that broke when a
-- stream is resumed (the closure session.data keeps it). If half a stanza had
-- come over that one, all that follows is inside of it: the stream hangs, or
-- ends with not-well-formed, and the server forgets it. So: the new parser.
module:hook("smacks-hibernation-end", function (event)
	event.resumed.data = event.origin.data;
end);
