"""The admin API: GraphQL over the store and the running gateway, one file per noun."""
