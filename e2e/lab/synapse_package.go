package lab

import (
	"context"
	"fmt"
)

// installSynapsePackage makes a unit and files as those of Debian's package of
// Synapse. %[1]s is the folder of the homeserver, %[2]s its Python.
const installSynapsePackage = `
useradd --system --home-dir %[1]s matrix-synapse
chmod a+x /root # Python may be there
chown -R matrix-synapse: %[1]s
install -d /etc/matrix-synapse/conf.d
install -o matrix-synapse -m 600 %[1]s/homeserver.yaml /etc/matrix-synapse/
cat > /etc/systemd/system/matrix-synapse.service <<END
[Service]
Type=notify
User=matrix-synapse
WorkingDirectory=%[1]s
ExecStart=%[2]s -m synapse.app.homeserver --config-path=/etc/matrix-synapse/homeserver.yaml --config-path=/etc/matrix-synapse/conf.d/
ExecReload=/bin/kill -HUP \$MAINPID
Restart=always
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now matrix-synapse`

// NewSynapseIn installs a homeserver in a machine and starts it. It has no
// appservice and lets nobody register until files in /etc/matrix-synapse/conf.d say so.
func (l *Lab) NewSynapseIn(ctx context.Context, m *Machine, name string) (*Synapse, error) {
	s, err := l.NewSynapse(ctx, name, "none")
	if err != nil {
		return nil, err
	}
	for old, replacement := range map[string]string{
		`app_service_config_files: ["none"]`: "",
		"enable_registration: true":          "",
		"registration_requires_token: true":  "",
	} {
		if err := s.EditConfig(old, replacement); err != nil {
			return nil, err
		}
	}
	if _, err := m.Run(ctx, fmt.Sprintf(installSynapsePackage, s.dir, s.python)); err != nil {
		return nil, err
	}
	return s, s.appointAnew(ctx)
}

// Afresh empties a homeserver that NewSynapseIn has installed: it has no accounts
// and no appservice any more.
func (s *Synapse) Afresh(ctx context.Context, m *Machine) error {
	if err := s.tellTokens(ctx); err != nil {
		return err
	}
	if _, err := m.Run(ctx, fmt.Sprintf(`
systemctl stop matrix-synapse
rm -f %s/homeserver.db /etc/matrix-synapse/conf.d/*
systemctl start matrix-synapse`, s.dir)); err != nil {
		return err
	}
	return s.appointAnew(ctx)
}

// appointAnew is Appoint for a homeserver without a database until now.
func (s *Synapse) appointAnew(ctx context.Context) error {
	if err := s.rememberTokens(ctx); err != nil {
		return err
	}
	return s.Appoint(ctx)
}

// AccessToken is that of a server admin, after Appoint.
func (s *Synapse) AccessToken() string { return s.admin.Client.AccessToken }
