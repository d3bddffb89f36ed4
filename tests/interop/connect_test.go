package interop

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"github.com/gravitational/teleport/api"
	"github.com/gravitational/teleport/api/client"
	"github.com/gravitational/teleport/api/client/webclient"
	"github.com/gravitational/teleport/api/identityfile"
	"golang.org/x/crypto/ssh"
)

func TestAnIdentityFileConnectsAndPings(t *testing.T) {
	c := serve(t)
	for _, user := range []string{"bot", "alice", "admin"} {
		pong := must(c.as(t, user).Ping(within(t)))(t)
		same(t, "cluster", pong.ClusterName, "interop")
		same(t, "version", pong.ServerVersion, "18.2.0")
		if features := pong.ServerFeatures; features == nil || !features.AdvancedAccessWorkflows {
			t.Errorf("features: %v", features)
		}
	}
	bot := c.as(t, "bot")
	same(t, "domain", must(bot.GetDomainName(within(t)))(t), "interop")
	if ca := must(bot.GetClusterCACert(within(t)))(t); len(ca.TLSCA) == 0 {
		t.Error("the CA is empty")
	}
}

func TestTeleportReadsOurIdentityFiles(t *testing.T) {
	c := serve(t)
	for _, user := range []string{"bot", "alice"} {
		identity := must(identityfile.ReadFile(c.identity(user)))(t)
		config := must(identity.TLSConfig())(t)
		if len(config.Certificates) != 1 || config.RootCAs == nil {
			t.Errorf("`%s`: TLS configuration: %v", user, config)
		}
		login := must(identity.SSHClientConfig())(t)
		if login.User == "" {
			t.Errorf("`%s`: no SSH user", user)
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey(identity.Certs.SSH)
		done(t, err)
		certificate, ok := key.(*ssh.Certificate)
		if !ok || certificate.CertType != ssh.UserCert {
			t.Errorf("`%s`: SSH certificate: %T", user, key)
		}
		expiry, known := client.LoadIdentityFile(c.identity(user)).Expiry()
		if !known || time.Until(expiry) <= 0 {
			t.Errorf("`%s`: expiry %v, %t", user, expiry, known)
		}
	}
}

func TestOldAndNewTLSBothConnect(t *testing.T) {
	c := serve(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		credentials := limited{client.LoadIdentityFile(c.identity("bot")), version}
		config := config(c.address, "")
		config.Credentials = []client.Credentials{credentials}
		clt := must(client.New(within(t), config))(t)
		_, err := clt.Ping(within(t))
		if err != nil {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		clt.Close()
	}
}

// limited is an identity that speaks one version of TLS.
type limited struct {
	client.Credentials
	version uint16
}

func (l limited) TLSConfig() (*tls.Config, error) {
	config, err := l.Credentials.TLSConfig()
	if err == nil {
		config.MinVersion, config.MaxVersion = l.version, l.version
	}
	return config, err
}

func TestAnIdentityOfAnotherClusterIsRefused(t *testing.T) {
	ours, other := serve(t), serve(t)
	config := config(ours.address, other.identity("bot"))
	config.DialTimeout = 5 * time.Second
	clt, err := client.New(within(t), config)
	if err == nil {
		clt.Close()
		t.Fatal("connected")
	}
}

func TestTheVersionIsToldAsTeleportTellsIt(t *testing.T) {
	// Since version 16 of the server, clients do not filter users themselves; they look at the header for that.
	c := serve(t)
	users := must(c.as(t, "admin").ListUsers(within(t), filteredUsers("platform-nobody")))(t)
	same(t, "users", len(users.Users), 0)
	if api.Version == "" {
		t.Error("a client without a version")
	}
}

// Each way through a proxy, as the one way that there is.
func TestTeleportsClientComesThroughOurProxies(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "proxies", "--dir", dir)
	var told struct{ Proxies map[string]string }
	p.ready(t, &told)
	same(t, "ways", len(told.Proxies), 5)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(read(t, filepath.Join(dir, "proxies-ca.pem")))) {
		t.Fatal("no CA of the proxies")
	}
	for way, address := range told.Proxies {
		t.Run(way, func(t *testing.T) {
			conn := must(tls.Dial("tcp", address, &tls.Config{RootCAs: roots}))(t)
			conn.Close()
			// Go reads the machine's CAs once for each process, so that the client cannot be given these.
			found := must(webclient.Find(&webclient.Config{Context: within(t), ProxyAddr: address, Insecure: true}))(t)
			same(t, "cluster", found.ClusterName, "dev")
			same(t, "TLS routing", found.Proxy.TLSRoutingEnabled, way != "ssh")
			config := config(address, filepath.Join(dir, "identity"))
			config.InsecureAddressDiscovery = true
			if way == "tls-routing" || way == "upgrade" {
				// As Teleport's own services do it. Without the name, the client speaks SSH, inside of TLS or not.
				config.ALPNSNIAuthDialClusterName = "dev"
				config.ALPNConnUpgradeRequired = way == "upgrade"
			}
			clt := must(client.New(within(t), config))(t)
			defer clt.Close()
			for range 20 {
				pong := must(clt.Ping(within(t)))(t)
				same(t, "cluster", pong.ClusterName, "dev")
			}
		})
	}
}
