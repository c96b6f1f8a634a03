// Package deployer holds the nouns and contracts of seadog's deployer: what a
// Project, a Push, a Delivery and a Deployment are, which moves a deployment
// may make, how a push is selected, and what a Store must promise.
//
// It imports nothing of seadog. Everything that touches a network, a disk, a
// process or a database lives in a sub-package named for what it adapts, and
// those sub-packages meet only in cmd/seadog.
//
// # The path of a push
//
//	httpd    reads the bytes of POST /hooks/{hook}
//	webhook  verifies them and normalises them to pushes
//	Select   decides, per project, whether a push is wanted  (pure)
//	Lane     decides what happens to the wanted ones          (pure)
//	Store    makes delivery, decision and deployment durable in one transaction
//	runner   claims the deployment under a lease and runs its steps
//	queue    ends what lost its owner
//
// Nothing in this package starts a goroutine.
package deployer
