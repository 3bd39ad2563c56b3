(using_directive) @using
