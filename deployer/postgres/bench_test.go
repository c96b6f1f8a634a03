package postgres_test

import (
	"fmt"
	"testing"

	"github.com/seadog/seadog/deployer/postgres"
	"github.com/seadog/seadog/deployer/storetest"
)

func BenchmarkAccept(b *testing.B) {
	cluster := storetest.StartCluster(b)
	for _, callers := range []int{64, 1000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			single := postgres.Single{Store: open(b, cluster.Database(b)+"&pool_max_conns=16")}
			storetest.CompareAccept(b, callers, open(b, cluster.Database(b)), single)
		})
	}
}
