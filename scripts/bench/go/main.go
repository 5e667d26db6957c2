// The benchmark's server on go-control-plane's snapshot cache (docs/performance.md). All nodes share one snapshot, which is
// the cache's cheapest way to change a fleet: one SetSnapshot for all instead of one for each node.
//
// Started as `server KEYS`; prints `listening PORT`; each line on stdin that holds a number N makes release N the newest.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	runtimev3 "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

type oneFleet struct{}

func (oneFleet) ID(*corev3.Node) string { return "fleet" }

func main() {
	keys, err := strconv.Atoi(os.Args[1])
	check(err)
	ctx := context.Background()
	cache := cachev3.NewSnapshotCache(false, oneFleet{}, nil)
	fields := makeFields(keys)
	check(cache.SetSnapshot(ctx, "fleet", makeSnapshot(fields, 0)))

	server := grpc.NewServer()
	runtimev3.RegisterRuntimeDiscoveryServiceServer(server, serverv3.NewServer(ctx, cache, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() { check(server.Serve(listener)) }()
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		number, err := strconv.Atoi(lines.Text())
		check(err)
		check(cache.SetSnapshot(ctx, "fleet", makeSnapshot(fields, number)))
	}
}

func makeFields(keys int) map[string]float64 {
	fields := map[string]float64{"shuffle_sharding.total_hosts": 100, "shuffle_sharding.default_shard_size": 2}
	for at := range keys {
		fields[fmt.Sprintf("shuffle_sharding.customer.customer-%06d.shard_size", at)] = float64(2 + at%7)
	}
	return fields
}

func makeSnapshot(fields map[string]float64, number int) *cachev3.Snapshot {
	version := fmt.Sprintf("%040x", number)
	values := make(map[string]*structpb.Value, len(fields)+1)
	for key, value := range fields {
		values[key] = structpb.NewNumberValue(value)
	}
	values["shuffle_sharding.version"] = structpb.NewStringValue(version)
	layer := &runtimev3.Runtime{Name: "runtime", Layer: &structpb.Struct{Fields: values}}
	snapshot, err := cachev3.NewSnapshot(version, map[resourcev3.Type][]types.Resource{resourcev3.RuntimeType: {layer}})
	check(err)
	return snapshot
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
