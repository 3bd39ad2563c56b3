# as an old editor left it
GREETING = "Grüße aus Köln"
