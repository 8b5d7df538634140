# resolver_test starts threads: ThreadSanitizer has something to look at here.
if(TEST unit.transport)
  set_property(TEST unit.transport APPEND PROPERTY LABELS threads)
endif()
