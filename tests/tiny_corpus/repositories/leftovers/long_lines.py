MESSAGE_ONE = "every line of this table is a sentence that goes on for much longer than it should have, every line of this table is a sentence that goes on for much longer than it should have, "
MESSAGE_TWO = "every line of this table is a sentence that goes on for much longer than it should have, every line of this table is a sentence that goes on for much longer than it should have, "
MESSAGE_THREE = "every line of this table is a sentence that goes on for much longer than it should have, every line of this table is a sentence that goes on for much longer than it should have, "
