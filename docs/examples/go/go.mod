module example.invalid/shardgate-handler

go 1.19
